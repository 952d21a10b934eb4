"""Gaussian process: kernels, priors, the marginal likelihood, and the surrogate built from them."""
