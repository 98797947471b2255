"""What networks are made of: activations, normalisation, convolution, losses."""

__all__: list[str] = []
METHODS: tuple[str, ...] = ()
INPLACE: tuple[str, ...] = ()
