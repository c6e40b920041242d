//! From a message to the handlers of its address.

mod table;
