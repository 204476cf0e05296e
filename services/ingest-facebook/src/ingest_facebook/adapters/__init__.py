"""The Graph API, webhooks and files."""
