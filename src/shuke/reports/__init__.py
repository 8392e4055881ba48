"""The lifetime-value report: figures, findings, strategies and their exports."""
