"""What a document holds (`model`), and how it is written: as PDF that can be read aloud, and as files to be edited."""
