"""The platform's resources: flat modules of thin methods. All seven scene types share one class, `SceneCreator`."""
