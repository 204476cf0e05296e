"""The outer edge: SMTP, push services, templates, town files, returned mails."""
