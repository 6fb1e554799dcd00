#!/usr/bin/lua

--- Late
--- @rate_limit none
--- @other
