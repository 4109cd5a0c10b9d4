"""Plugins: found by their metadata, loaded when first needed, and kept apart from each other.

A plugin is what an entry point of the group "ftcore" names: a module or an object that implements
hooks of `ftcore.hookspecs`. Those of the distribution ftcore itself are "in the box"; they are
loaded first, and the others only when a name is asked for that the box does not have.
"""

from __future__ import annotations

from ftcore.plugins.discovery import Plugin as Plugin
from ftcore.plugins.isolation import describe as describe
from ftcore.plugins.manager import Plugins as Plugins
from ftcore.plugins.manager import plugin_manager as plugin_manager
from ftcore.plugins.registries import Kind as Kind
