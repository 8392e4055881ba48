"""Facts in: order files of any make are read, understood and cleaned into canonical tables."""
