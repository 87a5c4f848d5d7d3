"""The steps that create a scene on the platform: reserve, start, upload, commit, abandon.

Each step is a function whose signature says what it needs. `create_inputs` and `client.cameras.create` take the same
steps. Resources use this package to look up existing scenes.
"""
