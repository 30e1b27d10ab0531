"""ffmpeg and the folder of segments."""
