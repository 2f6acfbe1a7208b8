"""Documents: controlled documents as Word, Excel, PDF and charts, made from plain values.

    content   what a document says: `Document`, its blocks, `Table`, `Chart`, the `Control` block
    word      a .docx, in the shipped layout or in a template of a department's own
    excel     a .xlsx with native charts, or an entry form
    pdf       a PDF/A for the archive, and charts as pictures

Nothing here knows of surveys, procedures or the database. The same content gives the same bytes, so that a
document can be hashed, and made again when a step is repeated.
"""
