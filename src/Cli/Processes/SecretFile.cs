using System.Buffers.Text;
using System.Security.Cryptography;
using Herd.Inference.Files;

namespace Herd.Cli.Processes;

/// <summary>
/// A secret of the cluster that 'herd up' runs: a file that only its own user can read. Processes get the file's path,
/// so the secret is on no command line and in no environment.
/// </summary>
internal static class SecretFile
{
    private const int Bytes = 32;

    /// <summary>Makes a secret at random, unless the file exists.</summary>
    /// <returns>The file's path.</returns>
    public static string Make(string path)
    {
        HerdHome.Create();
        if (!File.Exists(path))
        {
            var temporary = path + ".new";
            File.Delete(temporary);
            using (var file = new StreamWriter(PrivateFile.Create(temporary)))
            {
                file.WriteLine(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes)));
            }

            File.Move(temporary, path);
        }

        return path;
    }

    /// <returns>The secret in a file; null if there is no such file.</returns>
    /// <exception cref="CliException">The file is not readable.</exception>
    public static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"the secret {path} cannot be read: {e.Message}");
        }
    }
}
