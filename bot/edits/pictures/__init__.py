"""The picture of an edit: segment, mask, inpaint, finish, and the files that this needs."""
