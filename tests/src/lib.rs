//! Real servers, and fakes that record or fail, around the release binary.
