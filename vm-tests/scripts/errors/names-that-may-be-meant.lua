-- expect: false	names-that-may-be-meant.lua:5: attempt to index a nil value (field 'a' or field 'b')
-- expect: false	names-that-may-be-meant.lua:6: attempt to index a nil value (local 'v' or field 'a' or field 'b')
-- expect: false	names-that-may-be-meant.lua:7: attempt to index a nil value
-- reference: no, it knows which of several on a line it was; here they are listed
print(pcall(function() local u = {} return u.a.b.c end))
print(pcall(function(v) return v.a.b.c end))
print(pcall(function(v) return v.a.b.c.d end))
