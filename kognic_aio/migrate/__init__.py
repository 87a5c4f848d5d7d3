"""Coming from kognic-io: `names.json` says where each of its public names is here, or why it is not."""
