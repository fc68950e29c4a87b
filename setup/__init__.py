"""Makes a machine ready: the virtual environment, Go, etcd and Kubernetes, from what the checkout pins.

Run it as ``python3 -m setup`` with the system's Python (3.11 or later). It uses the standard library only, because it
runs before anything is installed, and needs no root. Everything goes into the cache folder, keyed by the digest of
what it is made from: a second checkout, and a second run, find it there.
"""
