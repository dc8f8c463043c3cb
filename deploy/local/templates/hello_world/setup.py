print("running setup...")
