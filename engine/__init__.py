"""The BPM engine: definitions, instances, work, time, history. It knows nothing of surveys."""
