"""How a volume is made: checkpoints, families of networks, latents, generators."""
