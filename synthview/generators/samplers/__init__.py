"""How noise becomes an image, step by step: the samplers of diffusion models."""
