"""HTTP: what the rooms' doors share. A door holds no rule."""
