package postgres

// InventorySQL is the statement of a page of the inventory.
var InventorySQL = sqlInventory
