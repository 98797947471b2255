"""What operations with several results return: tuples whose items have names, as in PyTorch's module of this name."""

from collections import namedtuple


def _tuple(name: str, fields: str) -> type:
    return namedtuple(name, fields, module=__name__)  # type: ignore[misc]


max = _tuple("max", "values indices")
min = _tuple("min", "values indices")
cummax = _tuple("cummax", "values indices")
cummin = _tuple("cummin", "values indices")
aminmax = _tuple("aminmax", "min max")
slogdet = _tuple("slogdet", "sign logabsdet")
qr = _tuple("qr", "Q R")
svd = _tuple("svd", "U S V")
linalg_qr = _tuple("linalg_qr", "Q R")
linalg_eig = _tuple("linalg_eig", "eigenvalues eigenvectors")
linalg_eigh = _tuple("linalg_eigh", "eigenvalues eigenvectors")
linalg_svd = _tuple("linalg_svd", "U S Vh")
linalg_lstsq = _tuple("linalg_lstsq", "solution residuals rank singular_values")
sort = _tuple("sort", "values indices")
topk = _tuple("topk", "values indices")
kthvalue = _tuple("kthvalue", "values indices")
median = _tuple("median", "values indices")
nanmedian = _tuple("nanmedian", "values indices")
mode = _tuple("mode", "values indices")
