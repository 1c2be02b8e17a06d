"""The rules as people keep them: health, drafts, publishing, history."""
