"""LoRaWAN, SenML and plough positions become readings and items."""
