//! A configuration file becomes a Config in which wrong states cannot be written.
