//! Nothing: the tests read a data file of the dependency.
