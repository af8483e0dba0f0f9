//! Tests of `rest_xml`.
