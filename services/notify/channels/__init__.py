"""One folder a channel: its sender and its templates. Deleting the folder deletes the channel."""
