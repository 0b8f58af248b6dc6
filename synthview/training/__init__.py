"""How the bundled weights were made, and how anyone makes their own: data, losses, trainers, recipes."""
