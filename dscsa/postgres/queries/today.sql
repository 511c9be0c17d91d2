select custody.today()
