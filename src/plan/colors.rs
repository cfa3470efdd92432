//! Colours as terminals accept them: the numbers of SGR sequences.

use crate::usage_error::UsageError;

/// Pairs of colours for pod and container; None if none are given.
pub fn pairs<'a>(
    pods: impl Iterator<Item = &'a str>,
    containers: impl Iterator<Item = &'a str>,
) -> Result<Option<Vec<(String, String)>>, UsageError> {
    let pods = pods.map(|color| sgr("--pod-colors", color)).collect::<Result<Vec<_>, _>>()?;
    let containers =
        containers.map(|color| sgr("--container-colors", color)).collect::<Result<Vec<_>, _>>()?;
    match (pods.len(), containers.len()) {
        (0, 0) => Ok(None),
        (0, _) => {
            Err(UsageError::new("--container-colors needs --pod-colors, with the same number of colours"))
        }
        (_, 0) => Ok(Some(pods.iter().cloned().zip(pods.iter().cloned()).collect())),
        (pod, container) if pod == container => Ok(Some(pods.into_iter().zip(containers).collect())),
        (pod, container) => Err(UsageError::new(format!(
            "--container-colors: {container} colours for {pod} of --pod-colors; give the same number"
        ))),
    }
}

fn sgr(flag: &str, text: &str) -> Result<String, UsageError> {
    numbers(text).ok_or_else(|| {
        UsageError::new(format!(
            "{flag}: \"{text}\" is not a colour such as 91 or 38;5;9 (SGR numbers, 0 to 255)"
        ))
    })
}

/// Numbers separated by semicolons, such as `38;5;9`, without blanks; None: it is something else.
pub fn numbers(text: &str) -> Option<String> {
    let number = |part: &str| part.trim().parse::<u8>().ok().map(|number| number.to_string());
    text.split(';').map(number).collect::<Option<Vec<_>>>().map(|numbers| numbers.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pods: &str, containers: &str) -> Result<Option<Vec<(String, String)>>, String> {
        pairs(pods.split_terminator(','), containers.split_terminator(',')).map_err(|error| error.to_string())
    }

    fn pair(pod: &str, container: &str) -> (String, String) {
        (pod.to_owned(), container.to_owned())
    }

    #[test]
    fn pods_lend_containers_their_colours() {
        assert_eq!(of("91,38;5;9", ""), Ok(Some(vec![pair("91", "91"), pair("38;5;9", "38;5;9")])));
    }

    #[test]
    fn containers_may_have_their_own() {
        assert_eq!(of("91,92", "31;4, 32 ; 4"), Ok(Some(vec![pair("91", "31;4"), pair("92", "32;4")])));
    }

    #[test]
    fn the_default_is_the_palette() {
        assert_eq!(of("", ""), Ok(None));
    }

    #[test]
    fn errors_name_the_fault() {
        for (pods, containers, words) in [
            ("x", "", "--pod-colors: \"x\" is not a colour"),
            ("91,,92", "", "--pod-colors: \"\" is not a colour"),
            ("256", "", "--pod-colors: \"256\""),
            ("-1", "", "--pod-colors: \"-1\""),
            ("91;", "", "--pod-colors: \"91;\""),
            ("91", "y", "--container-colors: \"y\""),
            ("", "91", "--container-colors needs --pod-colors"),
            ("91,92", "91", "1 colours for 2 of --pod-colors"),
        ] {
            let error = of(pods, containers).unwrap_err();
            assert!(error.contains(words), "{pods} {containers}: {error}");
        }
    }
}
