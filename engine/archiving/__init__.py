"""Archives: what belongs to an instance's sealed set, its manifest, the file it is handed over in."""
