print("running cleanup...")
