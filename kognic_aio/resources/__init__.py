"""The platform's resources, as flat modules of thin methods. All seven scene types share one creator."""
