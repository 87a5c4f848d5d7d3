"""Bringing a scene to the platform: reserve, start, upload, commit, abandon.

Each step is a function that says in its signature what it needs. `create_inputs` and `client.cameras.create` take the
same steps; resources use what is here to look at scenes that exist.
"""
