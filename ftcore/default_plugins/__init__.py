"""What ships in the box, written like anyone's plugin: on the public names of ftcore alone."""
