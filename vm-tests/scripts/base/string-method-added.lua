-- expect: HEY!
-- expect: abab
function string.shout(s) return s:upper() .. "!" end
print(("hey"):shout())
string.twice = function(s) return s .. s end
print(("ab"):twice())
