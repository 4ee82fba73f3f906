package store

import "context"

// ImportMark is how far an import of a file has come, which survives the
// program.
type ImportMark struct {
	store *Store
	by    Caller
	kind  string
	file  []byte
}

// MarkImport begins an import of a kind ("people") from a file that is known
// again by a hash, or goes on with one that was cut off: done is how far that
// had come.
func (s *Store) MarkImport(ctx context.Context, by Caller, kind string, file []byte) (m ImportMark, done int64, err error) {
	m = ImportMark{s, by, kind, file}
	done, err = m.begin(ctx)
	return m, done, err
}

// known is true where an import of the file was begun before.
func (m ImportMark) known(ctx context.Context) (is bool, err error) {
	var one int
	is, err = m.store.reading(ctx, m.by).row(`SELECT 1 FROM imports WHERE workspace_id = ? AND kind = ? AND file_hash = ?`,
		[]any{m.by.Workspace, m.kind, m.file}, &one)
	return is, away(err)
}

func (m ImportMark) begin(ctx context.Context) (done int64, err error) {
	err = m.store.write(ctx, m.by, func(q *session) error {
		_, err := q.row(`INSERT INTO imports (workspace_id, id, kind, file_hash, records_done, state, created_at, updated_at)
			VALUES (?, ?, ?, ?, 0, 'running', ?, ?) ON CONFLICT (workspace_id, kind, file_hash) DO UPDATE SET
			records_done = CASE WHEN imports.state = 'running' THEN imports.records_done ELSE 0 END,
			state = 'running', updated_at = excluded.updated_at RETURNING records_done`,
			[]any{q.by.Workspace, newID(), m.kind, m.file, q.now, q.now}, &done)
		q.wrote = true
		return err
	})
	return done, err
}

// Reached notes that rows up to a number are kept.
func (m ImportMark) Reached(ctx context.Context, number int64) error {
	return m.note(ctx, `UPDATE imports SET records_done = ?, updated_at = ?
		WHERE workspace_id = ? AND kind = ? AND file_hash = ? AND records_done < ?`, number, number)
}

// End notes that the whole file is kept: the next import of it begins anew.
func (m ImportMark) End(ctx context.Context, number int64) error {
	return m.note(ctx, `UPDATE imports SET records_done = ?, updated_at = ?, state = 'done'
		WHERE workspace_id = ? AND kind = ? AND file_hash = ?`, number)
}

func (m ImportMark) note(ctx context.Context, statement string, number int64, above ...any) error {
	return m.store.write(ctx, m.by, func(q *session) error {
		_, err := q.exec(statement, append([]any{number, q.now, q.by.Workspace, m.kind, m.file}, above...)...)
		return err
	})
}
