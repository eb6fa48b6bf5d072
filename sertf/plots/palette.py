"""The colours that figures and the page share; importing them loads no plotting library."""

# Okabe and Ito's palette, told apart with any colour vision; emotions differ by marker too, since there may be more.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5F5F5F", "#B8A800")
