//! Who works on the archive: the workers beside us.
