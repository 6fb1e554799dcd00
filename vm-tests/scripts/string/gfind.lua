-- expect: true
print(string.gfind == string.gmatch)
