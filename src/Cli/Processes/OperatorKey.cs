using System.Buffers.Text;
using System.Security.Cryptography;
using Herd.Inference.Files;

namespace Herd.Cli.Processes;

/// <summary>
/// The operators' key of the cluster that 'herd up' runs: a file that only its own user can read. Gateways get the
/// file's path, and commands read it, so the key is on no command line and in no environment.
/// </summary>
internal static class OperatorKey
{
    private const int Bytes = 32;

    /// <summary>The file's path, once the file exists.</summary>
    public static string Make()
    {
        HerdHome.Create();
        if (!File.Exists(HerdHome.OperatorKeyFile))
        {
            var temporary = HerdHome.OperatorKeyFile + ".new";
            File.Delete(temporary);
            using (var file = new StreamWriter(PrivateFile.Create(temporary)))
            {
                file.WriteLine(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes)));
            }

            File.Move(temporary, HerdHome.OperatorKeyFile);
        }

        return HerdHome.OperatorKeyFile;
    }

    /// <returns>The key in a file; null if there is no such file.</returns>
    /// <exception cref="CliException">The file is not readable.</exception>
    public static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"the operators' key {path} cannot be read: {e.Message}");
        }
    }
}
