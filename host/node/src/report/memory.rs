//! How much memory this process has used at most, where the system tells.

/// Peak resident memory in bytes (`VmHWM`); `None` where there is no `/proc`.
pub fn peak_memory_bytes() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// `VmHWM:     1234 kB`; the kernel's kB are 1024 bytes.
fn parse(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_found() {
        let rows = [
            ("Name:\tbusbar\nVmPeak:\t  99 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 5 kB\n", Some(1_263_616)),
            ("VmRSS:\t 5 kB\n", None),
            ("VmHWM:\t many kB\n", None),
            ("VmHWM:\t 5\n", None),
        ];
        for (status, expected) in rows {
            assert_eq!(parse(status), expected, "{status:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_running_process_uses_memory() {
        assert!(peak_memory_bytes().is_some_and(|bytes| bytes > 100 << 10));
    }
}
