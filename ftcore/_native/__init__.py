"""The native libraries, as files beside this one, and how they are built from `csrc/`."""
