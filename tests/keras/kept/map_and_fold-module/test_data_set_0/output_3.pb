B
vectorizedJù×´?