"""Many devices and many processes as one: the mesh, and how processes find, tell and miss each other."""
