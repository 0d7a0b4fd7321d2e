B
vectorizedJ†
@Wº>Éý¨¿ËÂ	@Zv>