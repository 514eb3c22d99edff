using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Herd.Grains.Conversations.Storage.Encryption;

namespace Herd.Grains.Hosting.Configuration;

/// <summary>Checks the options of the connection to the store.</summary>
internal static class StoreOptionErrors
{
    public static void Check(ClusterOptions options, OptionErrors errors)
    {
        CheckAddress(options, errors);
        CheckPassword(options, errors);
        CheckCertificate(options, errors);
        CheckKeys(options.StorageKeysFile, errors);
    }

    private static void CheckKeys(string path, OptionErrors errors)
    {
        if (path.Length == 0)
        {
            return;
        }

        errors.RequireSecretFile(
            "Cluster:StorageKeysFile",
            path,
            minLength: 1,
            "is empty. Write a name and 32 random bytes in base64 to it.",
            "Set its mode to 600, or mount the secret with mode 0440.");
        try
        {
            StorageKeys.Read(path);
        }
        catch (InvalidDataException e)
        {
            errors.Require(false, $"Cluster:StorageKeysFile {path} cannot be used: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // That is reported above.
        }
    }

    private static void CheckAddress(ClusterOptions options, OptionErrors errors)
    {
        if (string.IsNullOrWhiteSpace(options.Store))
        {
            errors.Require(
                false,
                "Cluster:Store is empty. Give the address of the Redis or Garnet to use, such as 127.0.0.1:6379.");
            return;
        }

        try
        {
            StoreAddress.Parse(options.Store);
        }
        catch (ArgumentException e)
        {
            // The address is not repeated: it may hold the password.
            errors.Require(false, $"Cluster:Store is no address of a store: {e.Message}");
        }
    }

    private static void CheckPassword(ClusterOptions options, OptionErrors errors)
    {
        var path = options.StorePasswordFile;
        errors.Require(
            options.StoreUser.Length == 0 || path.Length > 0,
            "Cluster:StoreUser needs the password of that user. Name its file by Cluster:StorePasswordFile.");
        if (path.Length > 0)
        {
            errors.RequireSecretFile(
                "Cluster:StorePasswordFile",
                path,
                minLength: 1,
                "is empty. Write the store's password to it.",
                "Set its mode to 600, or mount the secret with mode 0440.");
        }
    }

    private static void CheckCertificate(ClusterOptions options, OptionErrors errors)
    {
        if (options.StoreCertificateFile.Length == 0)
        {
            return;
        }

        try
        {
            using var issuer = X509CertificateLoader.LoadCertificateFromFile(options.StoreCertificateFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            errors.Require(
                false, $"Cluster:StoreCertificateFile {options.StoreCertificateFile} is no certificate: {e.Message}");
        }
    }
}
