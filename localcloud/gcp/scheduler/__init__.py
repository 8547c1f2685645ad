"""Cloud Scheduler: deployed HTTP calls, made when asked."""
